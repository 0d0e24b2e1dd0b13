// The official Gateway API conformance suite, as it is, asked of whatever cluster KUBECONFIG points to.
package conformance_test

import (
	"testing"

	"sigs.k8s.io/gateway-api/conformance"
)

func TestConformance(t *testing.T) {
	conformance.RunConformance(t)
}
