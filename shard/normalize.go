package shard

import "strings"

// normalize brings a place name to the form in which names are compared.
func normalize(name string) string { return strings.ToLower(strings.TrimSpace(name)) }
