<?php

// Asks a `verify` of the guide: secret and headers are the arguments, the body is the input.
require __DIR__ . '/verify.php';

[, $secret, $id, $timestamp, $signature] = $argv;
$headers = ['webhook-id' => $id, 'webhook-timestamp' => $timestamp, 'webhook-signature' => $signature];
try {
    verify($secret, $headers, file_get_contents('php://stdin'));
    echo "accepted\n";
} catch (Exception) {
    echo "refused\n";
}
