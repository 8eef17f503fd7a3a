// Nothing is built of these: their definitions of kinds are copied into l4serve/sandbox/crds (scripts/copy_definitions.py).
module l4serve.dev/sandbox/definitions

go 1.26.0

require (
	github.com/GoogleCloudPlatform/prometheus-engine v0.17.2
	sigs.k8s.io/gateway-api v1.4.1
	sigs.k8s.io/gateway-api-inference-extension v1.5.0
)
