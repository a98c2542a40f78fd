// Go's server: HTTP/1 without a certificate, HTTP/2 with one.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	requests, err := os.OpenFile(os.Getenv("REQUEST_LOG"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		log.Fatal(err)
	}
	hook := func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		header := r.Header.Get
		// One write, as handlers run beside each other.
		fmt.Fprintf(requests, "%s %s %s\n", header("webhook-id"), header("x-webhook-delivery"), header("x-webhook-attempt"))
		io.WriteString(w, "ok")
	}
	server := http.Server{
		Addr:        "127.0.0.1:" + os.Getenv("PORT"),
		Handler:     http.HandlerFunc(hook),
		IdleTimeout: time.Second,
	}
	if os.Args[1] == "tls" {
		log.Fatal(server.ListenAndServeTLS(os.Getenv("CERTIFICATE"), os.Getenv("KEY")))
	}
	log.Fatal(server.ListenAndServe())
}
