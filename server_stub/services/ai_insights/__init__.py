"""The rules of AI insights: lead scoring, predictions, recommendations, enrichment."""
