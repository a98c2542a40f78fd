-- The name of a webhook's health, as `WebhookHealth::of` of webhook-domain decides: an expression over
-- `webhooks`, and `webhook_health` and `webhook_activity` joined to the left. The test
-- `a_list_filters_by_the_health_that_its_webhooks_have` compares the two.
CASE
    WHEN webhooks.status = 'inactive' AND webhooks.disabled_reason IS NOT NULL THEN 'stopped'
    WHEN webhooks.status = 'inactive' THEN 'inactive'
    WHEN webhook_health.failures > 0 AND webhook_health.paused_until IS NOT NULL THEN 'paused'
    WHEN webhook_health.failures > 0 THEN 'failing'
    WHEN webhook_health.held_until > now() THEN 'held'
    WHEN webhook_activity.attempted_at >= coalesce(webhooks.health_since, '-infinity') THEN 'healthy'
    ELSE 'unknown'
END
