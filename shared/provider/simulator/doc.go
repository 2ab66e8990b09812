// Package simulator stands in for the generation vendors on one machine.
//
// A Server is one http.Handler that speaks the vendors' wire protocols closely
// enough that the gateway's own adapters talk to it unmodified: only their base
// URL differs. It checks requests as the vendors document, draws real pictures
// and films, signs webhooks with the vendors' schemes, and misbehaves on
// request (see FaultName).
//
// # What stands where
//
//	/openai/v1/…                 https://api.openai.com/v1
//	/stability/v1/…, /v2beta/…   https://api.stability.ai
//	/replicate/v1/…              https://api.replicate.com/v1
//	/files/…                     the vendors' delivery hosts
//
// Any API key is accepted in the vendor's own place and form, except an empty
// one and the word "invalid".
//
// # What differs from the real vendors
//
//   - A request without a seed gives the same picture each time.
//   - Webhook addresses may be plain HTTP on the loopback interface.
//   - Latency is short, balances never fall, there are no rate limits but the
//     faults, and retries of webhooks end after about a minute.
//   - An input filter refuses prompts with "nsfw"; Stability's output filter
//     blurs prompts with "gore".
//   - Addresses of input pictures are not fetched.
//
// # Adding a vendor
//
// Add its name to Providers, write one file with a route function that calls
// Server.handle for each path with the class of the call, and a refuse function
// that answers a FaultName in the vendor's words; call the route function from
// Server.routes. Work is noted with call.accept; synchronous work waits in
// call.labor; asynchronous work is a job with call.plan and Server.launch, and
// a case in Server.noticeOf when it has webhooks.
package simulator
