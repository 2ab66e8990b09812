// Package simulator stands in for the generation vendors on one machine.
//
// A Server is one http.Handler that speaks the vendors' wire protocols closely
// enough that the gateway's own adapters talk to it unmodified: only their base
// URL differs. It checks requests as the vendors document, draws real pictures
// and films, signs webhooks with the vendors' schemes, and misbehaves on
// request (see FaultName). By default a fault spoils only calls that make
// something and cost money; Fault.On widens that.
//
// # What stands where
//
//	/openai/v1/…                 https://api.openai.com/v1
//	/stability/v1/…, /v2beta/…   https://api.stability.ai
//	/replicate/v1/…              https://api.replicate.com/v1
//	/runway/v1/…                 https://api.dev.runwayml.com/v1
//	/fal/queue/…                 https://queue.fal.run (Pika and FLUX)
//	/fal/run/…                   https://fal.run
//	/fal/rest/…                  https://rest.fal.ai (the keys of its webhooks)
//	/gemini/v1beta/…             https://generativelanguage.googleapis.com/v1beta
//	/custom/luma/v1/…            an API like Luma Agents'
//	/custom/kling/v1/…           an API like Kling's: errors by code inside a 200
//	/custom/bfl/v1/…             an API like Black Forest Labs': a polling_url
//	/cloudflare/v1/{account}/{gateway}/{provider}/…   Cloudflare AI Gateway in front of
//	                             openai, replicate, google-ai-studio, fal, custom-stability,
//	                             custom-runway, custom-luma, custom-kling and custom-bfl
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
//   - Addresses of input pictures are not fetched, and input pictures do not
//     appear in what is made from them.
//   - Films have at most 640 by 360 pixels or so in the ratio asked for, ten
//     frames a second and ten seconds, and no sound.
//   - Texts are made from a few set phrases; tokens are estimates.
//   - Only the parameters and models that the gateway uses are known.
//   - Fault lost_webhook and its like change nothing at a vendor without webhooks.
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
