// Package rehearsal runs a deployment without AWS: the built bootstrap binaries
// as processes behind a local Lambda Runtime API, an HTTP front in the shape of
// API Gateway (REST, proxy integrations, buffered and streamed), a queue, a
// schedule, secrets and a bucket that speak the protocols of AWS, the embedded
// DynamoDB engine, and simulated providers.
//
// It is wired by the synthesized template: the routes, each function's
// environment variables, timeout and memory, the queue's settings and the
// schedule's event are the stack's own. What it cannot show is what AWS decides
// alone: permissions, throttles, the firewall, and real cold starts.
package rehearsal
