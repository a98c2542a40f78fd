<?php

$names = ['HTTP_WEBHOOK_ID', 'HTTP_X_WEBHOOK_DELIVERY', 'HTTP_X_WEBHOOK_ATTEMPT'];
$line = implode(' ', array_map(fn ($name) => $_SERVER[$name], $names));
file_put_contents(getenv('REQUEST_LOG'), "$line\n", FILE_APPEND | LOCK_EX);
echo 'ok';
