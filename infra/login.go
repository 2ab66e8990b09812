package main

import (
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/jsii-runtime-go"

	"easel/shared/env"
)

// login says whose tokens the deployment accepts beside API keys.
type login struct{ issuer, client, domain, claim string }

// cognitoGroups is the claim in which Cognito lists a person's groups.
const cognitoGroups = "cognito:groups"

// callbackPath is where the console takes a person back after the login.
const callbackPath = "/login"

// newLogin takes the issuer that the deployment was given, or makes a user pool
// in which only an administrator creates persons.
func newLogin(stack awscdk.Stack, c config, consoleOrigin string) login {
	if c.oidcIssuer != "" {
		return login{issuer: c.oidcIssuer, client: c.oidcClient, claim: c.groupClaim}
	}
	pool := newUserPool(stack, c)
	for _, group := range []string{c.adminGroup, c.viewerGroup} {
		pool.AddGroup(jsii.String("Group-"+group), &awscognito.UserPoolGroupOptions{GroupName: jsii.String(group)})
	}
	prefix := c.name(*stack.Account())
	pool.AddDomain(jsii.String("Domain"), &awscognito.UserPoolDomainOptions{
		CognitoDomain: &awscognito.CognitoDomainOptions{DomainPrefix: jsii.String(prefix)},
	})
	return login{
		issuer: *pool.UserPoolProviderUrl(),
		client: *newClient(pool, consoleOrigin).UserPoolClientId(),
		domain: "https://" + prefix + ".auth." + *stack.Region() + ".amazoncognito.com",
		claim:  cognitoGroups,
	}
}

func newUserPool(stack awscdk.Stack, c config) awscognito.UserPool {
	pool := awscognito.NewUserPool(stack, jsii.String("Operators"), &awscognito.UserPoolProps{
		UserPoolName:      jsii.String(c.name("operators")),
		SelfSignUpEnabled: jsii.Bool(false),
		SignInAliases:     &awscognito.SignInAliases{Email: jsii.Bool(true)},
		AutoVerify:        &awscognito.AutoVerifiedAttrs{Email: jsii.Bool(true)},
		AccountRecovery:   awscognito.AccountRecovery_EMAIL_ONLY,
		FeaturePlan:       awscognito.FeaturePlan_ESSENTIALS,
		Mfa:               awscognito.Mfa_OPTIONAL,
		MfaSecondFactor:   &awscognito.MfaSecondFactor{Otp: jsii.Bool(true), Sms: jsii.Bool(false)},
		PasswordPolicy: &awscognito.PasswordPolicy{
			MinLength: jsii.Number(14), RequireLowercase: jsii.Bool(true), RequireUppercase: jsii.Bool(true),
			RequireDigits: jsii.Bool(true), RequireSymbols: jsii.Bool(true),
			TempPasswordValidity: awscdk.Duration_Days(jsii.Number(3)),
		},
		DeletionProtection: jsii.Bool(c.prod()),
		RemovalPolicy:      c.removal(),
	})
	accept(pool,
		finding{"AwsSolutions-COG2", "each operator may switch a second factor on; a deployment that demands one brings its own issuer"},
		finding{"AwsSolutions-COG3", "threat protection costs per person and month; persons are made by an administrator only"},
		finding{"AwsSolutions-COG8", "the plan above it buys that same protection"})
	return pool
}

// newClient registers the console: a public client, authorization code with PKCE.
func newClient(pool awscognito.UserPool, consoleOrigin string) awscognito.UserPoolClient {
	return pool.AddClient(jsii.String("Console"), &awscognito.UserPoolClientOptions{
		GenerateSecret:             jsii.Bool(false),
		PreventUserExistenceErrors: jsii.Bool(true),
		EnableTokenRevocation:      jsii.Bool(true),
		AccessTokenValidity:        awscdk.Duration_Hours(jsii.Number(1)),
		IdTokenValidity:            awscdk.Duration_Hours(jsii.Number(1)),
		RefreshTokenValidity:       awscdk.Duration_Hours(jsii.Number(12)),
		SupportedIdentityProviders: &[]awscognito.UserPoolClientIdentityProvider{
			awscognito.UserPoolClientIdentityProvider_COGNITO(),
		},
		OAuth: &awscognito.OAuthSettings{
			Flows: &awscognito.OAuthFlows{AuthorizationCodeGrant: jsii.Bool(true)},
			Scopes: &[]awscognito.OAuthScope{
				awscognito.OAuthScope_OPENID(), awscognito.OAuthScope_EMAIL(),
			},
			CallbackUrls: jsii.Strings(consoleOrigin + callbackPath),
			LogoutUrls:   jsii.Strings(consoleOrigin + callbackPath),
		},
	})
}

// environment is what functions that accept tokens are told.
func (l login) environment(c config) map[string]string {
	values := map[string]string{
		env.OIDCIssuer: l.issuer, env.OIDCClientID: l.client, env.OIDCGroupClaim: l.claim,
		env.OIDCAdminGroup: c.adminGroup, env.OIDCViewerGroup: c.viewerGroup,
	}
	if c.accountClaim != "" {
		values[env.OIDCAccountClaim], values[env.OIDCCallerRate] = c.accountClaim, strconv.Itoa(c.callerRate)
		for name, value := range map[string]string{env.OIDCCallerClientID: c.callerClient, env.OIDCCallerGroup: c.callerGroup} {
			if value != "" {
				values[name] = value
			}
		}
	}
	if l.domain != "" {
		values[env.OIDCAuthDomain] = l.domain
	}
	return values
}
