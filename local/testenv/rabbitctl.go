package testenv

import "tiffin/local/rig"

// Control runs rabbitmqctl on a broker from OwnRabbitMQ, for what AMQP has no
// words for, such as an alarm.
func (s *Server) Control(args ...string) {
	s.t.Helper()
	s.check(rig.RabbitControl(s.t.Context(), s.server, args...))
}
