package env

// The names of the environment variables that the stack gives to its functions.
// The stack and the loading code both take them from here.
const (
	// Stage is the deployment's stage, "dev" or "prod"; empty means local.
	Stage = "EASEL_STAGE"
	// Function is the function's own name, one of [Functions].
	Function = "EASEL_FUNCTION"
	// ResponseMode is how the gateway in front of the function expects its answers:
	// [ResponseStream] or [ResponseBuffered]. The other form is a 502 there.
	ResponseMode = "EASEL_RESPONSE_MODE"
	// TablePrefix precedes the suffixes of [Tables], such as "easel-prod-".
	TablePrefix = "EASEL_TABLE_PREFIX"
	// Bucket is the name of the bucket for produced files.
	Bucket = "EASEL_BUCKET"
	// QueueURL is the address of the worker's queue.
	QueueURL = "EASEL_QUEUE_URL"
	// SecretPrefix precedes every name of a secret, such as "easel/prod/".
	SecretPrefix = "EASEL_SECRET_PREFIX"
	// PublicURL is the API's base URL without a final slash; providers' webhooks
	// are sent to paths under it.
	PublicURL = "EASEL_PUBLIC_URL"
	// TaskRetentionDays and UsageRetentionDays are whole days after which ended
	// tasks and usage records go.
	TaskRetentionDays  = "EASEL_TASK_RETENTION_DAYS"
	UsageRetentionDays = "EASEL_USAGE_RETENTION_DAYS"
	// PriceCap is the most that all attempts of one task may cost together, in
	// micro-USD; "0" is no cap.
	PriceCap = "EASEL_PRICE_CAP_MICRO_USD"
	// RevealKeys is "true" where admins may read stored provider keys.
	RevealKeys = "EASEL_REVEAL_KEYS"
	// OIDCIssuer and OIDCClientID name who signs the tokens that are accepted
	// beside API keys, and for whom. OIDCAuthDomain is set only for a pool that the
	// stack made: the base URL of its login pages.
	OIDCIssuer     = "EASEL_OIDC_ISSUER"
	OIDCClientID   = "EASEL_OIDC_CLIENT_ID"
	OIDCAuthDomain = "EASEL_OIDC_AUTH_DOMAIN"
	// OIDCGroupClaim is the claim that lists a person's groups; OIDCAdminGroup and
	// OIDCViewerGroup are the groups that may use the console.
	OIDCGroupClaim  = "EASEL_OIDC_GROUP_CLAIM"
	OIDCAdminGroup  = "EASEL_OIDC_ADMIN_GROUP"
	OIDCViewerGroup = "EASEL_OIDC_VIEWER_GROUP"
	// OIDCAccountClaim is the claim that names the account which pays, where callers
	// may use tokens too; without it only operators may. OIDCCallerClientID is the
	// application that callers' tokens are for, by default OIDCClientID.
	// OIDCCallerGroup is the group that may call, by default everybody, and
	// OIDCCallerRate how many requests a minute each person may make, "0" for any.
	OIDCAccountClaim   = "EASEL_OIDC_ACCOUNT_CLAIM"
	OIDCCallerClientID = "EASEL_OIDC_CALLER_CLIENT_ID"
	OIDCCallerGroup    = "EASEL_OIDC_CALLER_GROUP"
	OIDCCallerRate     = "EASEL_OIDC_CALLER_RATE_PER_MINUTE"
	// CloudflareGatewayURL is the Cloudflare AI Gateway that configs may go through;
	// its token is the secret [CloudflareTokenSecret].
	CloudflareGatewayURL = "CLOUDFLARE_AI_GATEWAY_URL"
)

// The values of [ResponseMode].
const (
	ResponseStream   = "stream"
	ResponseBuffered = "buffered"
)

// The names of secrets below the prefix; a role is granted these and no others.
const (
	// ConfigSecrets is followed by a config's id: its provider's key.
	ConfigSecrets = "config/"
	// EndpointSecrets is followed by the id of a caller's endpoint: what webhooks
	// to it are signed with.
	EndpointSecrets = "endpoint/"
	// WebhookSecret is what webhooks to callers are signed with by default: 44
	// letters and digits, which is the base64 of 33 bytes.
	WebhookSecret = "webhook"
	// AdminKeySecret is the secret part of the first admin's key: 44 letters and
	// digits. The whole key is "esl_", [AdminKeyID], "_" and this.
	AdminKeySecret = "admin-key"
	// CloudflareTokenSecret is the token of the Cloudflare AI Gateway.
	CloudflareTokenSecret = "cloudflare-gateway-token"
)

// AdminKeyID is the id of the first admin's key in every deployment.
const AdminKeyID = "bootstrap000"

// The partitions of the core table that only the admin function may write: the
// configs and models, and, by prefix, the API keys.
const (
	ConfigPartition     = "CFG"
	KeyPartitionPattern = "KEY#*"
)

// The functions.
const (
	Generate = "generate"
	Prompt   = "prompt"
	Task     = "task"
	Webhook  = "webhook"
	Admin    = "admin"
	Worker   = "worker"
)

// Functions lists every function; each is built to dist/<name>/bootstrap.
func Functions() []string { return []string{Generate, Prompt, Task, Webhook, Admin, Worker} }
