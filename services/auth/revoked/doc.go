// Package revoked is the list of signed-out sessions whose access tokens have not expired yet: what makes signing out
// take effect at once although a token is verified without asking anybody.
//
// The auth service writes the list (Announcer), every edge keeps a copy in memory (List), so that checking a token costs
// a map lookup and no round trip. Revoked API keys are on it too, by their ids, since edges remember the keys that they
// have verified. The record is auth.families and auth.api_keys in PostgreSQL; Redis holds the list and carries the news.
//
// Invariants: an entry stays until every access token of its family has expired. A copy is complete from the moment its
// subscription is confirmed, because it is read from Redis after that, and again after each reconnection. What Redis
// lost or missed is written again from PostgreSQL. While Redis is away no news travels: the copies keep what they know,
// refreshing is refused by PostgreSQL all the same, and access tokens run out by themselves.
package revoked
