// Package holder keeps one set of test servers for all test processes of a
// run, since starting RabbitMQ for each package would cost more than the tests.
//
// Servers start when they are first asked for. Whoever uses them holds a
// connection to the holder's socket, so the kernel does the counting: a test
// process that dies gives up its share. A holder that nobody has held on to
// for its idle time ends its servers and itself.
//
// Protocol, one line each way on a unix socket: the client sends the name of a
// server ("postgres"), the holder answers with an Answer as JSON. The
// connection then means "still in use" until it is closed.
package holder
