// Publishes one event, and is sure that RabbitMQ has it on disk: go run . [environment] [type]
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A larger event would be set aside, not delivered.
const maxEventBytes = 256 * 1024

// How long the broker may take for the handshake, and for the confirm.
const brokerTimeout = 10 * time.Second

// The pauses between tries: long enough for a restart of the broker behind a load balancer.
var pauses = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second}

// refused is an error that another try would not change.
type refused string

func (reason refused) Error() string { return string(reason) }

type event struct {
	ID          string         `json:"id"`
	Type        string         `json:"type"`
	Environment string         `json:"environment"`
	Timestamp   string         `json:"timestamp"`
	Data        map[string]any `json:"data"`
}

func main() {
	if os.Getenv("AMQP_URL") == "" {
		fmt.Fprintln(os.Stderr, "AMQP_URL is missing: the address of RabbitMQ, amqp://…")
		os.Exit(1)
	}
	event := event{
		ID:          newID(),
		Type:        argument(2, "license.activated"),
		Environment: argument(1, "production"),
		Timestamp:   time.Now().UTC().Format(time.RFC3339Nano),
		Data:        map[string]any{"license_id": "lic_42", "seats": 5},
	}
	if err := publishSurely(event); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("published event", event.ID)
}

// publishSurely publishes the event, again after a lost connection, for about eight seconds.
func publishSurely(event event) error {
	// Every try publishes the same bytes: an id that was seen before is delivered once.
	body, err := json.Marshal(event)
	if err != nil {
		return err
	}
	if len(body) > maxEventBytes {
		return fmt.Errorf("event of %d bytes is larger than %d", len(body), maxEventBytes)
	}
	for try := 0; ; try++ {
		err := publish(event, body)
		if err == nil || errors.As(err, new(refused)) {
			return err
		}
		if try == len(pauses) {
			return fmt.Errorf("outcome of event %s is unknown, publish it again under its id: %w", event.ID, err)
		}
		fmt.Fprintf(os.Stderr, "publishing again in %v: %v\n", pauses[try], err)
		time.Sleep(pauses[try])
	}
}

// publish returns nil when the broker has the event on disk.
func publish(event event, body []byte) error {
	connection, err := amqp.DialConfig(os.Getenv("AMQP_URL"), amqp.Config{
		Heartbeat: brokerTimeout,
		Dial:      amqp.DefaultDial(brokerTimeout),
	})
	if err != nil {
		return err
	}
	defer connection.Close()
	channel, err := connection.Channel()
	if err != nil {
		return err
	}
	// Without this the broker confirms nothing.
	if err := channel.Confirm(false); err != nil {
		return err
	}
	// Each has room for a value: the client's reader would wait for an absent reader of ours.
	confirms := channel.NotifyPublish(make(chan amqp.Confirmation, 1))
	returns := channel.NotifyReturn(make(chan amqp.Return, 1))
	closed := channel.NotifyClose(make(chan *amqp.Error, 1))
	ctx, cancel := context.WithTimeout(context.Background(), brokerTimeout)
	defer cancel()
	routingKey := event.Environment + "." + event.Type
	// Mandatory: the broker hands a message back that reaches no queue, instead of dropping it.
	const mandatory, immediate = true, false
	err = channel.PublishWithContext(ctx, "webhooks.events", routingKey, mandatory, immediate, amqp.Publishing{
		ContentType:  "application/json",
		MessageId:    event.ID,
		DeliveryMode: amqp.Persistent,
		Headers:      headers(),
		Body:         body,
	})
	if err != nil {
		return err
	}
	select {
	case confirm, open := <-confirms:
		if !open {
			return reason(<-closed)
		}
		// A returned event is confirmed, too, after its return.
		select {
		case <-returns:
			return refused("no queue takes " + routingKey + ": is a service running?")
		default:
		}
		if !confirm.Ack {
			return errors.New("the broker could not store the event")
		}
		return nil
	case <-ctx.Done():
		return errors.New("no confirm in time")
	}
}

// headers pass on the publisher's place in its trace (W3C Trace Context), which receivers see.
func headers() amqp.Table {
	if traceparent := os.Getenv("TRACEPARENT"); traceparent != "" {
		return amqp.Table{"traceparent": traceparent}
	}
	return nil
}

// reason tells why the channel was closed before the confirm.
func reason(closed *amqp.Error) error {
	switch {
	case closed == nil:
		return errors.New("the connection was closed")
	// A missing exchange, a missing right: the next try would end alike.
	case closed.Code == amqp.NotFound || closed.Code == amqp.AccessRefused:
		return refused("the broker refused the event: " + closed.Reason)
	default:
		return closed
	}
}

// newID returns a random UUID.
func newID() string {
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		panic(err)
	}
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// argument returns an argument of the command, or another text if the argument is missing.
func argument(place int, missing string) string {
	if len(os.Args) > place {
		return os.Args[place]
	}
	return missing
}
