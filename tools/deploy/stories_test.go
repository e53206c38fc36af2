package deploy_test

import "time"

// stories are, for each alert, one in which it must fire and one in which it must not: near its threshold, or with what
// its rule leaves out on purpose.
var stories = map[string]struct{ loud, quiet story }{
	"TiffinEdgeErrors": {
		story{`tiffin_http_request_duration_seconds_count{route="/orders",status="503"}`: grows(2), `tiffin_http_request_duration_seconds_count{route="/orders",status="200"}`: grows(98)},
		story{`tiffin_http_request_duration_seconds_count{route="/readyz",status="503"}`: grows(50), `tiffin_http_request_duration_seconds_count{route="/orders",status="404"}`: grows(98)},
	},
	"TiffinEdgeSlow": {
		story{`tiffin_http_request_duration_seconds_bucket{route="/orders",le="1"}`: grows(97), `tiffin_http_request_duration_seconds_bucket{route="/orders",le="2.5"}`: grows(100), `tiffin_http_request_duration_seconds_bucket{route="/orders",le="+Inf"}`: grows(100)},
		story{`tiffin_http_request_duration_seconds_bucket{route="/auth/login",le="1"}`: grows(1), `tiffin_http_request_duration_seconds_bucket{route="/auth/login",le="+Inf"}`: grows(100), `tiffin_http_request_duration_seconds_bucket{route="/orders",le="1"}`: grows(100), `tiffin_http_request_duration_seconds_bucket{route="/orders",le="+Inf"}`: grows(100)},
	},
	"TiffinEdgePanics": {
		story{`tiffin_http_panics_total`: grows(0.01), `tiffin_realtime_panics_total`: is(0)},
		story{`tiffin_http_panics_total`: stopped(0.01), `tiffin_realtime_panics_total`: is(3)},
	},
	"TiffinDependencyDown": {
		story{`tiffin_edge_dependency_up{name="redis",instance="1"}`: is(0), `tiffin_edge_dependency_up{name="redis",instance="2"}`: is(1)},
		story{`tiffin_edge_dependency_up{name="postgres.a"}`: is(1), `tiffin_edge_dependency_up{name="postgres.a.replica"}`: is(0)},
	},
	"TiffinRateLimitsLocal": {story{`tiffin_edge_ratelimit_local`: is(1)}, story{`tiffin_edge_ratelimit_local`: is(0)}},
	"TiffinSocketsShed":     {story{`tiffin_realtime_shed_total`: grows(2)}, story{`tiffin_realtime_shed_total`: grows(0.1)}},
	"TiffinLiveChannelLost": {
		story{`tiffin_realtime_live{instance="1"}`: is(1), `tiffin_realtime_live{instance="2"}`: is(0)}, story{`tiffin_realtime_live`: is(1)},
	},
	"TiffinEndpointErrors": {
		story{`tiffin_request_duration_seconds_count{service="order",endpoint="get",code="internal"}`: grows(3), `tiffin_request_duration_seconds_count{service="order",endpoint="get",code="ok"}`: grows(97)},
		story{`tiffin_request_duration_seconds_count{service="order",endpoint="get",code="not_found"}`: grows(50), `tiffin_request_duration_seconds_count{service="order",endpoint="get",code="ok"}`: grows(50), `tiffin_request_duration_seconds_count{service="order",endpoint="get",code="internal"}`: grows(1)},
	},
	"TiffinEndpointSaturated":  {story{`tiffin_requests_refused_total{service="auth",endpoint="login"}`: grows(1)}, story{`tiffin_requests_refused_total{service="auth",endpoint="login"}`: stopped(1)}},
	"TiffinSubscriptionErrors": {story{`tiffin_subscription_errors_total{service="order"}`: grows(1)}, story{`tiffin_subscription_errors_total{service="order"}`: stopped(1)}},
	"TiffinConsumerLag":        {story{`tiffin_consumer_lag_events{consumer="delivery"}`: is(1001)}, story{`tiffin_consumer_lag_events{consumer="delivery"}`: is(1000)}},
	"TiffinEventsDead": {
		story{`tiffin_events_consumed_total{consumer="tracking",type="order.status",outcome="dead"}`: grows(0.01)},
		story{`tiffin_events_consumed_total{consumer="tracking",type="order.status",outcome="ok"}`: grows(10)},
	},
	"TiffinLoopFails": {
		story{`tiffin_loop_round_seconds_count{loop="order.expire",outcome="failed"}`: grows(3), `tiffin_loop_round_seconds_count{loop="order.expire",outcome="ok"}`: grows(2)},
		story{`tiffin_loop_round_seconds_count{loop="order.expire",outcome="failed"}`: grows(1), `tiffin_loop_round_seconds_count{loop="order.expire",outcome="ok"}`: grows(2)},
	},
	"TiffinSignInFailures": {
		story{`tiffin_request_duration_seconds_count{service="auth",endpoint="login",code="unauthenticated"}`: grows(21)},
		story{`tiffin_request_duration_seconds_count{service="auth",endpoint="login",code="unauthenticated"}`: grows(19), `tiffin_request_duration_seconds_count{service="auth",endpoint="refresh",code="unauthenticated"}`: grows(19)},
	},
	"TiffinRefreshReuse": {story{`tiffin_auth_refresh_reuse_total`: grows(0.1)}, story{`tiffin_auth_refresh_reuse_total`: grows(0.01)}},
	"TiffinOrdersWait":   {story{`tiffin_dispatch_oldest_waiting_seconds{region="mx"}`: is(601)}, story{`tiffin_dispatch_oldest_waiting_seconds{region="mx"}`: is(600)}},
	"TiffinNoOrders":     {story{`tiffin_order_moves_total{to="pending"}`: stopped(1)}, story{`tiffin_order_moves_total{to="pending"}`: is(7)}},
	"TiffinShardBreakerOpen": {
		story{`tiffin_postgres_breaker_open{shard="a",instance="1"}`: is(1), `tiffin_postgres_breaker_open{shard="a",instance="2"}`: is(0)},
		story{`tiffin_postgres_breaker_open{shard="a"}`: is(0)},
	},
	"TiffinReplicaNotRead": {
		story{`tiffin_postgres_replica_usable{shard="a",instance="1"}`: flaps, `tiffin_postgres_replica_usable{shard="a",instance="2"}`: is(1), `tiffin_postgres_breaker_open{shard="a"}`: is(0), `tiffin_postgres_breaker_open{shard="b"}`: is(1)},
		story{`tiffin_postgres_replica_usable{shard="a"}`: is(0), `tiffin_postgres_breaker_open{shard="a"}`: is(1), `tiffin_postgres_replica_usable{shard="b"}`: is(1), `tiffin_postgres_breaker_open{shard="b"}`: is(0)},
	},
	"TiffinPoolExhausted": {
		story{`tiffin_postgres_connections{shard="a",role="order",state="used"}`: is(23), `tiffin_postgres_connections_max{shard="a",role="order"}`: is(24)},
		story{`tiffin_postgres_connections{shard="a",role="order",state="used"}`: is(20), `tiffin_postgres_connections{shard="a",role="order",state="idle"}`: is(4), `tiffin_postgres_connections_max{shard="a",role="order"}`: is(24)},
	},
	"TiffinPoolWaits": {
		story{`tiffin_postgres_acquires_waited_total{shard="a"}`: grows(3), `tiffin_postgres_acquires_total{shard="a"}`: grows(10)},
		story{`tiffin_postgres_acquires_waited_total{shard="a"}`: grows(1), `tiffin_postgres_acquires_total{shard="a"}`: grows(10)},
	},
	"TiffinOutboxBacklog": {story{`tiffin_outbox_unsent{shard="a"}`: is(10001)}, story{`tiffin_outbox_unsent{shard="a"}`: is(10000), `tiffin_outbox_unsent{shard="b"}`: is(10000)}},
	"TiffinCertificateEnds": {
		story{`tiffin_tls_certificate_expiry_timestamp_seconds{variable="TLS_CERT"}`: is(float64(now.Add(6 * 24 * time.Hour).Unix()))},
		story{`tiffin_tls_certificate_expiry_timestamp_seconds{variable="TLS_CERT"}`: is(float64(now.Add(8 * 24 * time.Hour).Unix()))},
	},
	"TiffinInstanceDown": {story{`up{job="tiffin",instance="order-1"}`: is(0)}, story{`up{job="tiffin",instance="order-1"}`: is(1), `up{job="rabbitmq"}`: is(0)}},
	"TiffinRestarts": {
		story{`process_start_time_seconds{job="tiffin"}`: grows(1)}, story{`process_start_time_seconds{job="tiffin"}`: stopped(1)},
	},
	"TiffinMemoryGrows": {
		story{`process_resident_memory_bytes{job="tiffin"}`: grows(1e5)}, story{`process_resident_memory_bytes{job="tiffin"}`: is(9e8)},
	},
	"TiffinEventsLate": {story{`tiffin_bridge_oldest_event_seconds`: is(61)}, story{`tiffin_bridge_oldest_event_seconds`: is(59)}},
	"TiffinOutboxLate": {story{`tiffin_outbox_oldest_seconds{shard="c"}`: is(61)}, story{`tiffin_outbox_oldest_seconds{shard="c"}`: is(59)}},
	"TiffinBridgeGone": {
		story{}, story{`tiffin_bridge_leader{instance="1"}`: is(0), `tiffin_bridge_leader{instance="2"}`: is(1)},
	},
	"TiffinBridgeBlocked": {story{`tiffin_bridge_blocked`: is(1)}, story{`tiffin_bridge_blocked`: is(0)}},
	"TiffinDeadLetters":   {story{`tiffin_bridge_dead_total`: grows(0.01)}, story{`tiffin_bridge_dead_total`: stopped(0.01)}},
}
