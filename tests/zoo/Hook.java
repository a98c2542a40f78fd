import com.sun.net.httpserver.HttpServer;
import java.io.FileOutputStream;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The server of Java's library. */
public class Hook {
    public static void main(String[] arguments) throws Exception {
        var log = new FileOutputStream(System.getenv("REQUEST_LOG"), true);
        var port = Integer.parseInt(System.getenv("PORT"));
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.setExecutor(Executors.newFixedThreadPool(16));
        server.createContext("/", exchange -> {
            exchange.getRequestBody().readAllBytes();
            var names = Stream.of("webhook-id", "X-Webhook-Delivery", "X-Webhook-Attempt");
            var line = names.map(exchange.getRequestHeaders()::getFirst).collect(Collectors.joining(" "));
            // One write, as handlers run beside each other.
            log.write((line + "\n").getBytes());
            var answer = "ok".getBytes();
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
    }
}
