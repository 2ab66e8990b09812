package generateapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"easel/shared/batch"
	"easel/shared/intake/intaketest"
)

func TestABatchIsRefusedWhole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body   string
		status int
		fields string
	}{
		"no requests":           {`{}`, 400, "requests"},
		"none":                  {`{"requests":[]}`, 400, "requests"},
		"too many":              {`{"requests":[` + many(plain, batch.MaxRequests+1) + `]}`, 400, "requests"},
		"an unknown field":      {`{"requests":[` + plain + `,{"promt":"x"}]}`, 400, "requests[1].promt"},
		"wrong fields":          {`{"requests":[` + plain + `,{"size":"big"},{"prompt":"x","n":0}]}`, 400, "requests[1].prompt requests[1].size requests[2].n"},
		"a model that is not":   {`{"requests":[{"prompt":"x","model":"nope"}]}`, 400, "requests[0].model"},
		"text":                  {`{"requests":[{"prompt":"x","model":"writer"}]}`, 400, "requests[0].model"},
		"an image inside":       {`{"requests":[{"prompt":"x","model":"painter","image":"data:image/png;base64,AAAA"}]}`, 400, "requests[0].image"},
		"a private callback":    {`{"requests":[{"prompt":"x","callback_url":"https://127.0.0.1/"}]}`, 400, "requests[0].callback_url"},
		"the batch's callback":  {`{"callback_url":"https://127.0.0.1/","requests":[` + plain + `]}`, 400, "callback_url"},
		"long metadata":         {`{"metadata":{"a":"` + strings.Repeat("x", 600) + `"},"requests":[` + plain + `]}`, 400, "metadata.a"},
		"a custom id twice":     {`{"requests":[{"prompt":"x","custom_id":"a"},{"prompt":"x","custom_id":"a"}]}`, 400, "requests[1].custom_id"},
		"a long custom id":      {`{"requests":[{"prompt":"x","custom_id":"` + strings.Repeat("é", 65) + `"}]}`, 400, "requests[0].custom_id"},
		"a request that is big": {`{"requests":[` + plain + `,{"model":"painter","prompt":"` + strings.Repeat("x", batch.MaxRequest) + `"}]}`, 400, "requests[1].prompt"},
		"no known price":        {`{"requests":[{"prompt":"x","model":"priceless"}]}`, 503, ""},
		"a large body":          {`{"requests":[` + many(`{"prompt":"`+strings.Repeat("x", 5000)+`"}`, 900) + `]}`, 413, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupBatches(t)
			w := b.post(t, "/api/batches", c.body)
			var problem struct {
				Detail string
				Errors []struct{ Name string }
			}
			if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || w.Code != c.status {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			names := make([]string, 0, len(problem.Errors))
			for _, e := range problem.Errors {
				names = append(names, e.Name)
			}
			if got := strings.Join(names, " "); got != c.fields {
				t.Errorf("wrong are %s, want %s: %s", got, c.fields, problem.Detail)
			}
			if list, _, err := b.Store.BatchesByAccount(t.Context(), intaketest.Account, "", 10); err != nil || len(list) != 0 || len(b.messages) != 0 {
				t.Errorf("stored are %+v, %v", list, err)
			}
			b.WantUntouched(t)
		})
	}
}

func TestABatchNamesTwentyWrongFieldsAtMost(t *testing.T) {
	t.Parallel()
	b := setupBatches(t)
	w := b.post(t, "/api/batches", `{"requests":[`+many(`{"prompt":"x","size":"big","model":"painter"}`, 300)+`]}`)
	if errs, _ := object(t, w)["errors"].([]any); w.Code != http.StatusBadRequest || len(errs) != 20 {
		t.Errorf("status %d, %d errors", w.Code, len(errs))
	}
}
