# Asks a `verify` of the guide: secret and headers are the arguments, the body is the input.
require_relative "verify"

secret, *headers = ARGV
names = %w[webhook-id webhook-timestamp webhook-signature]
begin
  verify(secret, names.zip(headers).to_h, $stdin.binmode.read)
  puts "accepted"
rescue RuntimeError
  puts "refused"
end
