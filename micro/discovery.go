package micro

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	natsmicro "github.com/nats-io/nats.go/micro"
)

// discoveryQueue bounds what waits to be answered on one discovery subject. More than that is a flood.
const discoveryQueue = 1024

// subscribeDiscovery answers PING, INFO and STATS for all services, for the name and for the instance, with the types
// and subjects of nats.go/micro (ADR-32).
func (s *Service) subscribeDiscovery() error {
	identity := natsmicro.ServiceIdentity{
		Name: s.cfg.Name, ID: s.id, Version: s.cfg.Version, Metadata: map[string]string{},
	}
	verbs := map[natsmicro.Verb]func() any{
		natsmicro.PingVerb:  func() any { return natsmicro.Ping{ServiceIdentity: identity, Type: natsmicro.PingResponseType} },
		natsmicro.InfoVerb:  func() any { return s.info(identity) },
		natsmicro.StatsVerb: func() any { return s.stats(identity) },
	}
	for verb, value := range verbs {
		for _, to := range [][2]string{{"", ""}, {s.cfg.Name, ""}, {s.cfg.Name, s.id}} {
			subject, err := natsmicro.ControlSubject(verb, to[0], to[1])
			if err != nil {
				return fmt.Errorf("discovery: %w", err)
			}
			answer := func(msg *nats.Msg) { s.describe(msg, value) }
			if err := s.subscribe(subject, "", discoveryQueue, answer, func() {}); err != nil {
				return err
			}
		}
	}
	return nil
}

// describe answers one discovery request.
func (s *Service) describe(msg *nats.Msg, value func() any) {
	if !mayAnswer(msg.Reply) {
		s.forged(msg)
		return
	}
	data, err := json.Marshal(value())
	if err == nil {
		err = msg.Respond(data)
	}
	if err != nil {
		s.log.Warn("discovery not answered", "subject", msg.Subject, "error", err)
	}
}

// info lists the endpoints with their schemas.
func (s *Service) info(identity natsmicro.ServiceIdentity) natsmicro.Info {
	endpoints := make([]natsmicro.EndpointInfo, len(s.endpoints))
	for i, e := range s.endpoints {
		endpoints[i] = natsmicro.EndpointInfo{
			Name: e.verb, Subject: e.subject, QueueGroup: natsmicro.DefaultQueueGroup, Metadata: e.metadata,
		}
	}
	return natsmicro.Info{
		ServiceIdentity: identity, Type: natsmicro.InfoResponseType, Description: s.cfg.Description, Endpoints: endpoints,
	}
}

// endpointLoad goes into the "data" of an endpoint's statistics.
type endpointLoad struct {
	Running       int `json:"running"`
	Waiting       int `json:"waiting"`
	Workers       int `json:"workers"`
	QueueCapacity int `json:"queue_capacity"`
}

// stats gives what each endpoint has done since the start.
func (s *Service) stats(identity natsmicro.ServiceIdentity) natsmicro.Stats {
	endpoints := make([]*natsmicro.EndpointStats, len(s.endpoints))
	for i, e := range s.endpoints {
		endpoints[i] = e.stats()
	}
	return natsmicro.Stats{
		ServiceIdentity: identity, Type: natsmicro.StatsResponseType, Started: s.started, Endpoints: endpoints,
	}
}

func (e *endpoint) stats() *natsmicro.EndpointStats {
	served, busy := e.served.Load(), e.busy.Load()
	out := &natsmicro.EndpointStats{
		Name: e.verb, Subject: e.subject, QueueGroup: natsmicro.DefaultQueueGroup,
		NumRequests: int(served), NumErrors: int(e.failed.Load()),
		ProcessingTime: time.Duration(busy), AverageProcessingTime: time.Duration(busy / max(served, 1)),
	}
	if last := e.lastError.Load(); last != nil {
		out.LastError = *last
	}
	running, waiting := e.pool.load()
	load, err := json.Marshal(endpointLoad{running, waiting, e.workers, e.queue})
	if err == nil {
		out.Data = load
	}
	return out
}
