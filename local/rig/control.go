package rig

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// RabbitControl runs rabbitmqctl on a broker of a rig, for what AMQP has no
// words for, such as an alarm. It takes seconds.
func RabbitControl(ctx context.Context, broker *Server, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(broker.Command().Path), "rabbitmqctl"), args...)
	cmd.Env, cmd.Dir = broker.Command().Env, broker.Command().Dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("rabbitmqctl %v: %w\n%s", args, err, out)
	}
	return nil
}
