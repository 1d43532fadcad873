"""The example of the MVP document, unchanged but for its import."""

from crm_sdk import CrmClient

client = CrmClient(
    base_url='https://crm-backend-api.fly.dev',
    api_key='your-api-key'
)

# Get leads
leads = client.leads.get_all(status='new', limit=10)

# Create lead
new_lead = client.leads.create({
    'name': 'John Doe',
    'email': 'john@example.com',
    'source': 'api'
})

# Execute AI agent
result = client.agents.execute('agent_123', {
    'input': 'Qualify this lead',
    'context': {'lead_id': 'lead_456'}
})
