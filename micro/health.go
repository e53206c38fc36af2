package micro

import (
	"context"
	"time"
)

// HealthStatus is the answer of <name>.health. Status is "ok", or "degraded" when a check is not ok. Details of a
// failure are logged by whoever owns the dependency; they may hold hosts and are not given to callers.
type HealthStatus struct {
	Status string            `json:"status"`
	Checks map[string]string `json:"checks"` // "ok" or "unavailable", by dependency
}

// healthPatience bounds the look at the dependencies, so that one that is frozen is reported as such before the caller,
// who asks each second, takes the service itself for dead.
const healthPatience = 600 * time.Millisecond

// addHealth adds the endpoint <name>.health.
func addHealth(s *Service) {
	check := func(ctx context.Context, _ struct{}) (HealthStatus, error) {
		status := HealthStatus{Status: "ok", Checks: map[string]string{}}
		if s.cfg.Health == nil {
			return status, nil
		}
		ctx, cancel := context.WithTimeout(ctx, healthPatience)
		defer cancel()
		for name, err := range s.cfg.Health(ctx) {
			status.Checks[name] = "ok"
			if err != nil {
				s.log.WarnContext(ctx, "dependency unhealthy", "dependency", name, "error", err)
				status.Status, status.Checks[name] = "degraded", "unavailable"
			}
		}
		return status, nil
	}
	Handle(s, "health", "State of this instance's dependencies.", check, WithWorkers(4), WithQueue(64), WithTimeout(3*time.Second))
}
