// Pod: what is around its containers and volumes. The notation is explained in notation.ts.

import type { Package } from '../notation.ts';

export const podMessages: Package = {
  Affinity: `
    1 nodeAffinity NodeAffinity*?, 2 podAffinity PodAffinity*?,
    3 podAntiAffinity PodAntiAffinity*?`,
  EvictionResponder: '1 name string, 2 priority int32*',
  HostAlias: '1 ip string, 2 hostnames []string?',
  NodeAffinity: `
    1 requiredDuringSchedulingIgnoredDuringExecution NodeSelector*?,
    2 preferredDuringSchedulingIgnoredDuringExecution []PreferredSchedulingTerm?`,
  Pod: '1 metadata meta.ObjectMeta, 2 spec PodSpec, 3 status PodStatus',
  PodAffinity: `
    1 requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm?,
    2 preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm?`,
  PodAffinityTerm: `
    1 labelSelector meta.LabelSelector*?, 2 namespaces []string?, 3 topologyKey string,
    4 namespaceSelector meta.LabelSelector*?, 5 matchLabelKeys []string?,
    6 mismatchLabelKeys []string?`,
  PodAntiAffinity: `
    1 requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm?,
    2 preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm?`,
  PodDNSConfig: '1 nameservers []string?, 2 searches []string?, 3 options []PodDNSConfigOption?',
  PodDNSConfigOption: '1 name string?, 2 value string*?',
  PodOS: '1 name string',
  PodReadinessGate: '1 conditionType string',
  PodResourceClaim: `
    1 name string, 3 resourceClaimName string*?, 4 resourceClaimTemplateName string*?`,
  PodSchedulingGate: '1 name string',
  PodSchedulingGroup: '1 podGroupName string*?',
  PodSecurityContext: `
    1 seLinuxOptions SELinuxOptions*?, 8 windowsOptions WindowsSecurityContextOptions*?,
    2 runAsUser int64*?, 6 runAsGroup int64*?, 3 runAsNonRoot bool*?,
    4 supplementalGroups []int64?, 12 supplementalGroupsPolicy string*?, 5 fsGroup int64*?,
    7 sysctls []Sysctl?, 9 fsGroupChangePolicy string*?, 10 seccompProfile SeccompProfile*?,
    11 appArmorProfile AppArmorProfile*?, 13 seLinuxChangePolicy string*?`,
  PodSpec: `
    1 volumes []Volume?, 20 initContainers []Container?, 2 containers []Container,
    34 ephemeralContainers []EphemeralContainer?, 3 restartPolicy string?,
    4 terminationGracePeriodSeconds int64*?, 5 activeDeadlineSeconds int64*?,
    6 dnsPolicy string?, 7 nodeSelector {}string?, 8 serviceAccountName string?,
    9 serviceAccount string?, 21 automountServiceAccountToken bool*?, 10 nodeName string?,
    11 hostNetwork bool?, 12 hostPID bool?, 13 hostIPC bool?, 27 shareProcessNamespace bool*?,
    14 securityContext PodSecurityContext*?, 15 imagePullSecrets []LocalObjectReference?,
    16 hostname string?, 17 subdomain string?, 18 affinity Affinity*?,
    19 schedulerName string?, 22 tolerations []Toleration?, 23 hostAliases []HostAlias?,
    24 priorityClassName string?, 25 priority int32*?, 26 dnsConfig PodDNSConfig*?,
    28 readinessGates []PodReadinessGate?, 29 runtimeClassName string*?,
    30 enableServiceLinks bool*?, 31 preemptionPolicy string*?, 32 overhead {}Quantity?,
    33 topologySpreadConstraints []TopologySpreadConstraint?, 35 setHostnameAsFQDN bool*?,
    36 os PodOS*?, 37 hostUsers bool*?, 38 schedulingGates []PodSchedulingGate?,
    39 resourceClaims []PodResourceClaim?, 40 resources ResourceRequirements*?,
    41 hostnameOverride string*?, 43 schedulingGroup PodSchedulingGroup*?,
    44 evictionResponders []EvictionResponder?`,
  PodTemplateSpec: '1 metadata meta.ObjectMeta, 2 spec PodSpec',
  PreferredSchedulingTerm: '1 weight int32, 2 preference NodeSelectorTerm',
  Sysctl: '1 name string, 2 value string',
  Toleration: `
    1 key string?, 2 operator string?, 3 value string?, 4 effect string?,
    5 tolerationSeconds int64*?`,
  TopologySpreadConstraint: `
    1 maxSkew int32, 2 topologyKey string, 3 whenUnsatisfiable string,
    4 labelSelector meta.LabelSelector*?, 5 minDomains int32*?, 6 nodeAffinityPolicy string*?,
    7 nodeTaintsPolicy string*?, 8 matchLabelKeys []string?`,
  WeightedPodAffinityTerm: '1 weight int32, 2 podAffinityTerm PodAffinityTerm',
};
