// Package deploy has no code. Its tests hold compose.yaml, the Helm chart, the
// alert rules, the dashboards and the workflows against what will read them, by
// the readers' own packages, and against what Tiffin's binary says of the
// environment it would get. They are a module of their own so that none of those
// packages is in the product's go.mod.
package deploy
