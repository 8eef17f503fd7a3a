// Command pulumi-resource-kubernetes serves Pulumi's Kubernetes provider without its schema, which no program asks for at run time.
package main

import (
	"os"
	"time"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

// The release that the pinned commit was tagged as.
const release = "4.25.0"

func main() {
	go endWith(os.Getppid())
	provider.Serve("kubernetes", release, []byte("{}"), []byte("{}"))
}

// A provider that awaits a Deployment would outlive a killed engine by half an hour and more.
func endWith(engine int) {
	for os.Getppid() == engine {
		time.Sleep(time.Second)
	}
	os.Exit(1)
}
