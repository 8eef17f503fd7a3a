// Command pulumi-resource-kubernetes serves Pulumi's Kubernetes provider without its schema, which no program asks for at run time.
package main

import "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"

// The release that the pinned commit was tagged as.
const release = "4.25.0"

func main() {
	provider.Serve("kubernetes", release, []byte("{}"), []byte("{}"))
}
