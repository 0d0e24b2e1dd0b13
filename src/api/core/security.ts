// Under which identity and with which powers containers run.

import { described, list, object, oneOf, opt, requiredDef } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { atomicList, flag, int64, requiredText, text, texts } from './fields.ts';

const SELinuxOptions = object({
  user: opt(text('SELinux user.')),
  role: opt(text('SELinux role.')),
  type: opt(text('SELinux type.')),
  level: opt(text('SELinux level.')),
});

const WindowsSecurityContextOptions = object({
  gmsaCredentialSpecName: opt(text('Name of the GMSA credential spec.')),
  gmsaCredentialSpec: opt(text('The GMSA credential spec itself; filled in by a webhook.')),
  runAsUserName: opt(text('Windows user the process runs as.')),
  hostProcess: opt(flag('The container runs as a host process; all of a pod or none.')),
});

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'] as const;

const SeccompProfile = object({
  type: oneOf(profileTypes, { doc: 'A profile of the node, of the container runtime, or none.' }),
  localhostProfile: opt(text("File of the profile below the node's seccomp directory.")),
});

const AppArmorProfile = object({
  type: oneOf(profileTypes, { doc: 'A profile of the node, of the container runtime, or none.' }),
  localhostProfile: opt(text('Name of a profile loaded on the node.')),
});

const Sysctl = object({
  name: requiredText('The kernel setting, as net.ipv4.ip_unprivileged_port_start.'),
  value: requiredDef(text('Its value.'), ''),
});

/** What containers and pods both may say; a container's word counts for it. */
const shared = {
  seLinuxOptions: opt(described(SELinuxOptions, 'SELinux context of the processes.')),
  windowsOptions: opt(described(WindowsSecurityContextOptions, 'Settings for Windows.')),
  runAsUser: opt(int64('User ID the processes run as; that of the image when absent.')),
  runAsGroup: opt(int64('Primary group ID the processes run as.')),
  runAsNonRoot: opt(flag('Refuses to start a container that would run as user 0.')),
  seccompProfile: opt(described(SeccompProfile, 'Filter of system calls.')),
  appArmorProfile: opt(described(AppArmorProfile, 'AppArmor profile.')),
};

export const PodSecurityContext = object({
  ...shared,
  supplementalGroups: opt(
    list(int64('A group ID.'), {
      listType: 'atomic',
      doc: 'Further groups the processes belong to.',
    }),
  ),
  supplementalGroupsPolicy: opt(
    oneOf(['Merge', 'Strict'], { doc: 'Whether groups of the image count beside those here.' }),
  ),
  fsGroup: opt(int64('Group that owns the files of volumes.')),
  fsGroupChangePolicy: opt(
    oneOf(['Always', 'OnRootMismatch'], { doc: 'When the ownership of a volume is set anew.' }),
  ),
  sysctls: opt(atomicList(Sysctl, 'Kernel settings of the pod.')),
  seLinuxChangePolicy: opt(
    oneOf(['MountOption', 'Recursive'], { doc: 'How volumes get their SELinux label.' }),
  ),
});
export type PodSecurityContext = Infer<typeof PodSecurityContext>;

const Capabilities = object({
  add: opt(texts('Capabilities added to those of the runtime.')),
  drop: opt(texts('Capabilities taken away; ALL for every one.')),
});

export const SecurityContext = object({
  ...shared,
  capabilities: opt(described(Capabilities, 'Linux capabilities of the container.')),
  privileged: opt(flag('Runs with all powers of root on the node.')),
  readOnlyRootFilesystem: opt(flag('The root file system cannot be written.')),
  allowPrivilegeEscalation: opt(flag('A process may gain more powers than its parent.')),
  procMount: opt(oneOf(['Default', 'Unmasked'], { doc: 'Whether parts of /proc are hidden.' })),
});
export type SecurityContext = Infer<typeof SecurityContext>;
