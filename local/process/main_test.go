package process_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// helper is set in processes that this package's tests start from their own
// binary: they play the parent that gets killed.
const helper = "TIFFIN_PROCESS_HELPER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(helper); dir != "" {
		parent(dir)
	}
	goleak.VerifyTestMain(m)
}
