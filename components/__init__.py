"""The product's rooms: config, engines and planning are pure; the files beside them are the Pulumi components."""
