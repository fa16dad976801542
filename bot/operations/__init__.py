"""The heart: plan, approval, durable run, audit."""
