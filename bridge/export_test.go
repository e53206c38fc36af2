package bridge

// Trim is trim, for tests that cannot wait an hour.
var Trim = (*Bridge).trim
