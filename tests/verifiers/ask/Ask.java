import java.util.Map;

/** Asks a `verify` of the guide: secret and headers are the arguments, the body is the input. */
final class Ask {
    public static void main(String[] arguments) throws Exception {
        Map<String, String> headers = Map.of(
                "webhook-id", arguments[1], "webhook-timestamp", arguments[2], "webhook-signature", arguments[3]);
        boolean accepted = Webhooks.verify(arguments[0], headers::get, System.in.readAllBytes());
        System.out.println(accepted ? "accepted" : "refused");
    }
}
