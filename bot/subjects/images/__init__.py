"""Images: catalogue, promotion rules, retention rules; pure rules, planners and steps."""
