package testenv

import (
	"os/exec"
	"path/filepath"
)

// Control runs rabbitmqctl on a broker from OwnRabbitMQ, for what AMQP has no
// words for, such as an alarm.
func (s *Server) Control(args ...string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), filepath.Join(filepath.Dir(s.server.Command().Path), "rabbitmqctl"), args...)
	cmd.Env, cmd.Dir = s.server.Command().Env, s.server.Command().Dir
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("testenv: rabbitmqctl %v: %v\n%s", args, err, out)
	}
}
