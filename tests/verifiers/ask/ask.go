// Asks a `verify` of the guide: secret and headers are the arguments, the body is the input.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	headers := http.Header{}
	for at, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		headers.Set(name, os.Args[at+2])
	}
	body, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	if verify(os.Args[1], headers, body) == nil {
		fmt.Println("accepted")
	} else {
		fmt.Println("refused")
	}
}
