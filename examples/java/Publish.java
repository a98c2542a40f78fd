import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

/** Publishes one event, and is sure that RabbitMQ has it on disk: Publish [environment] [type] */
public final class Publish {
    /** A larger event would be set aside, not delivered. */
    private static final int MAX_EVENT_BYTES = 256 * 1024;

    /** Milliseconds between tries: long enough for a restart of the broker behind a load balancer. */
    private static final long[] PAUSES = {500, 1_000, 2_000, 4_000};

    /** Milliseconds that the broker may take for the handshake, and for the confirm. */
    private static final int BROKER_TIMEOUT = 10_000;

    /** What another try would not change. */
    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1;

        Refused(String reason) {
            super(reason);
        }
    }

    public static void main(String[] arguments) throws Exception {
        String environment = arguments.length > 0 ? arguments[0] : "production";
        String type = arguments.length > 1 ? arguments[1] : "license.activated";
        String id = UUID.randomUUID().toString();
        // A service with other data has a library for JSON; these texts need no escapes.
        String event = """
                {"id":"%s","type":"%s","environment":"%s","timestamp":"%s","data":{"license_id":"lic_42","seats":5}}"""
                .formatted(id, type, environment, Instant.now());
        try {
            publishSurely(id, environment + "." + type, event.getBytes(StandardCharsets.UTF_8));
        } catch (Refused | IOException failed) {
            System.err.println(failed.getMessage());
            System.exit(1);
        }
        System.out.println("published event " + id);
    }

    /** Publishes the event, again after a lost connection, for about eight seconds. */
    private static void publishSurely(String id, String routingKey, byte[] body) throws Exception {
        if (System.getenv("AMQP_URL") == null) {
            throw new Refused("AMQP_URL is missing: the address of RabbitMQ, amqp://…");
        }
        if (body.length > MAX_EVENT_BYTES) {
            throw new Refused("event of " + body.length + " bytes is larger than " + MAX_EVENT_BYTES);
        }
        // Every try publishes the same bytes: an id that was seen before is delivered once.
        for (int attempt = 0; ; attempt++) {
            try {
                publish(id, routingKey, body);
                return;
            } catch (IOException | TimeoutException | ShutdownSignalException error) {
                // The client wraps the reason.
                Throwable reason = error.getCause() == null ? error : error.getCause();
                if (attempt == PAUSES.length) {
                    throw new IOException(
                            "outcome of event " + id + " is unknown, publish it again under its id: " + reason, error);
                }
                System.err.println("publishing again in " + PAUSES[attempt] + " ms: " + reason);
                Thread.sleep(PAUSES[attempt]);
            }
        }
    }

    /** Returns when the broker has the event on disk, and throws otherwise. */
    private static void publish(String id, String routingKey, byte[] body) throws Exception {
        Connection connection = connections().newConnection();
        try {
            Channel channel = connection.createChannel();
            // Without this the broker confirms nothing.
            channel.confirmSelect();
            AtomicBoolean returned = new AtomicBoolean();
            channel.addReturnListener((code, text, exchange, key, properties, message) -> returned.set(true));
            // Mandatory: the broker hands a message back that reaches no queue, instead of dropping it.
            boolean mandatory = true;
            channel.basicPublish("webhooks.events", routingKey, mandatory, properties(id), body);
            if (!channel.waitForConfirms(BROKER_TIMEOUT)) {
                throw new IOException("the broker could not store the event");
            }
            // A returned event is confirmed, too, after its return.
            if (returned.get()) {
                throw new Refused("no queue takes " + routingKey + ": is a service running?");
            }
        } catch (ShutdownSignalException closed) {
            throw isRefusal(closed) ? new Refused("the broker refused the event: " + closed.getMessage()) : closed;
        } finally {
            // A silent broker does not answer the close either.
            connection.abort(1_000);
        }
    }

    private static ConnectionFactory connections() throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(System.getenv("AMQP_URL"));
        factory.setConnectionTimeout(BROKER_TIMEOUT);
        factory.setHandshakeTimeout(BROKER_TIMEOUT);
        factory.setRequestedHeartbeat(BROKER_TIMEOUT / 1_000);
        // A recovered connection would not publish the event again: publishSurely does.
        factory.setAutomaticRecoveryEnabled(false);
        return factory;
    }

    private static AMQP.BasicProperties properties(String id) {
        String traceparent = System.getenv("TRACEPARENT");
        boolean traced = traceparent != null && !traceparent.isEmpty();
        return new AMQP.BasicProperties.Builder()
                .contentType("application/json")
                .messageId(id)
                // Persistent: the message survives a restart of the broker.
                .deliveryMode(2)
                // Receivers see the publisher's place in its trace (W3C Trace Context).
                .headers(traced ? Map.of("traceparent", traceparent) : Map.of())
                .build();
    }

    /** Whether the broker closed the channel alone: a missing exchange or right, also at the next try. */
    private static boolean isRefusal(ShutdownSignalException closed) {
        return !closed.isHardError() && !closed.isInitiatedByApplication();
    }
}
