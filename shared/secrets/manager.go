package secrets

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"easel/shared/secret"
)

const defaultRecoveryDays = 7

// ManagerOptions configures a Manager.
type ManagerOptions struct {
	// Prefix comes before every name, such as "easel/prod/". The function's role
	// is granted this prefix and nothing else.
	Prefix string
	// RecoveryDays is how long a deleted secret can be restored: 7 to 30 by the
	// rules of Secrets Manager, 0 means 7.
	RecoveryDays int64
}

// Manager keeps secrets in AWS Secrets Manager. Each Get is a paid call of some
// ten milliseconds: put [Cached] before it.
type Manager struct {
	client  *secretsmanager.Client
	options ManagerOptions
}

// NewManager returns a Manager on client. It opens no connection.
func NewManager(client *secretsmanager.Client, options ManagerOptions) *Manager {
	if options.RecoveryDays == 0 {
		options.RecoveryDays = defaultRecoveryDays
	}
	return &Manager{client: client, options: options}
}

// Get implements [Store]. A secret that waits for its deletion is not found.
func (m *Manager) Get(ctx context.Context, name string) (secret.Value, error) {
	if err := checkName(name); err != nil {
		return secret.Value{}, err
	}
	output, err := m.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: m.id(name)})
	switch {
	case isMissing(err) || isDeleted(err):
		return secret.Value{}, fmt.Errorf("get secret %s: %w", name, ErrNotFound)
	case err != nil:
		return secret.Value{}, fmt.Errorf("get secret %s: %w", name, err)
	}
	value := secret.New(aws.ToString(output.SecretString))
	if value.IsZero() { // binary, or emptied by hand: not one of ours
		return secret.Value{}, fmt.Errorf("get secret %s: %w", name, ErrNotFound)
	}
	return value, nil
}

// Put implements [Store]. It revives a secret that waits for its deletion, since
// the name would otherwise be blocked for days.
func (m *Manager) Put(ctx context.Context, name string, value secret.Value) error {
	if err := checkPut(name, value); err != nil {
		return err
	}
	err := m.update(ctx, name, value)
	switch {
	case isMissing(err):
		err = m.create(ctx, name, value)
		if _, exists := errors.AsType[*types.ResourceExistsException](err); exists {
			err = m.update(ctx, name, value) // somebody else was faster
		}
	case isDeleted(err):
		_, err = m.client.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: m.id(name)})
		if err == nil {
			err = m.update(ctx, name, value)
		}
	}
	if err != nil {
		return fmt.Errorf("put secret %s: %w", name, without(err, value))
	}
	return nil
}

// Delete implements [Store]. The secret can be restored for RecoveryDays with the
// tools of AWS.
func (m *Manager) Delete(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	_, err := m.client.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{
		SecretId:             m.id(name),
		RecoveryWindowInDays: &m.options.RecoveryDays,
	})
	if err != nil && !isMissing(err) && !isDeleted(err) {
		return fmt.Errorf("delete secret %s: %w", name, err)
	}
	return nil
}

func (m *Manager) update(ctx context.Context, name string, value secret.Value) error {
	_, err := m.client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId:     m.id(name),
		SecretString: aws.String(value.Reveal()),
	})
	return err
}

func (m *Manager) create(ctx context.Context, name string, value secret.Value) error {
	_, err := m.client.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
		Name:         m.id(name),
		Description:  aws.String("Managed by Easel"),
		SecretString: aws.String(value.Reveal()),
	})
	return err
}

func (m *Manager) id(name string) *string { return aws.String(m.options.Prefix + name) }

func isMissing(err error) bool {
	_, ok := errors.AsType[*types.ResourceNotFoundException](err)
	return ok
}

// isDeleted reports that the secret is scheduled for deletion. Secrets Manager
// has no type of error for that, only this text.
func isDeleted(err error) bool {
	invalid, ok := errors.AsType[*types.InvalidRequestException](err)
	return ok && strings.Contains(strings.ToLower(invalid.ErrorMessage()), "delet")
}

// without makes sure that an error which quotes the request does not quote the
// secret. It gives up the error's type for that.
func without(err error, value secret.Value) error {
	text := err.Error()
	if clean := strings.ReplaceAll(secret.NewRedactor(value).String(text), value.Reveal(), secret.Redacted); clean != text {
		return errors.New(clean)
	}
	return err
}
