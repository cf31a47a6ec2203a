// A small web service with what most have: routes, JSON, templates, a database handle, structured logs, metrics.
package main

import (
	"database/sql"
	"encoding/json"
	"expvar"
	"html/template"
	"log/slog"
	"net/http"
	"os"

	"example.com/greet"
)

var (
	requests = expvar.NewInt("requests")
	page     = template.Must(template.New("page").Parse("<h1>{{.}}</h1>\n"))
)

func main() {
	logger := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{name}", func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if err := page.Execute(w, greet.Line(r.PathValue("name"))); err != nil {
			logger.Error("page", "error", err)
		}
	})
	mux.HandleFunc("GET /drivers", func(w http.ResponseWriter, _ *http.Request) {
		if err := json.NewEncoder(w).Encode(sql.Drivers()); err != nil {
			logger.Error("drivers", "error", err)
		}
	})
	mux.Handle("GET /metrics", expvar.Handler())
	logger.Info("starting", "address", ":8080")
	if err := http.ListenAndServe(":8080", mux); err != nil {
		logger.Error("stopped", "error", err)
		os.Exit(1)
	}
}
