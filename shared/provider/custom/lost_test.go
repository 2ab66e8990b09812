package custom_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/custom"
	"easel/shared/provider/custom/examples"
	"easel/shared/secret"
)

// TestAJobThatOnlyAReportNamedIsFound polls a job of whose submit no answer came.
func TestAJobThatOnlyAReportNamedIsFound(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		_, _ = io.WriteString(w, `{"code":0,"data":{"task_id":"k1","task_status":"processing"}}`)
	}))
	t.Cleanup(server.Close)
	for want, picture := range map[string]string{"/v1/videos/text2video/k1": "", "/v1/videos/image2video/k1": pixel} {
		c := call(t, "kling", "kling-v3", generation.Video)
		c.BaseURL, c.Key, c.Request.Image = server.URL, secret.New("secret-key-1234"), picture
		answer, err := custom.New(server.Client()).Poll(t.Context(), c, provider.Job{ID: "k1"})
		if got := <-asked; err != nil || answer.State != provider.Running || got != want {
			t.Errorf("asked %s, want %s: %+v, %v", got, want, answer, err)
		}
	}
}

func TestOnlyADescribedWebhookIsWaitedFor(t *testing.T) {
	t.Parallel()
	p := custom.New(nil)
	if !p.Notifies(examples.Kling()) || p.Notifies(examples.Luma()) || p.Notifies(nil) {
		t.Error("Kling reports the end of its jobs, Luma does not")
	}
}

func TestImagesAreTakenAsDescribed(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"kling": true, "sync_image": true, "luma": false, "sync_text": false} {
		if got := custom.TakesData(described(t, name)); got != want {
			t.Errorf("%s takes data: %v, want %v", name, got, want)
		}
	}
	if custom.TakesData([]byte(`{"mode":"sync"}`)) {
		t.Error("what is no description takes data")
	}
}
