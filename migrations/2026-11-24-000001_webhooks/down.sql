DROP TABLE subscriptions;
DROP TABLE webhooks;
