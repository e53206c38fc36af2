// Package workflows has no code. Its tests read .github/workflows with
// actionlint, in a module of their own because actionlint and what tools/deploy
// needs want different versions of the same YAML parser.
package workflows
