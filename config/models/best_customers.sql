-- Who ordered for 100 or more and is a contact of the CRM: one row a person, from three vendors' tables.
-- The demo takes Klaviyo's consent to e-mail for the consent that is asked here; yours stands wherever people gave it.
WITH spent AS (
  SELECT e.profile_id, sum((e.event_properties->>'$value')::numeric) AS revenue
  FROM klaviyo.events e JOIN klaviyo.metrics m ON m.id = e.metric_id
  WHERE m.name = 'Placed Order'
  GROUP BY 1
)
SELECT p.id AS person_id,
       p.email,
       h.lifecyclestage AS stage,
       round(s.revenue, 2) AS revenue,
       CASE p.subscriptions->'email'->'marketing'->>'consent' WHEN 'SUBSCRIBED' THEN 'granted' WHEN 'UNSUBSCRIBED' THEN 'withdrawn' END AS consent
FROM spent s
JOIN klaviyo.profiles p ON p.id = s.profile_id
JOIN salesforce.contacts c ON lower(trim(c.email)) = lower(trim(p.email)) AND c._weir_deleted_at IS NULL
LEFT JOIN LATERAL (SELECT lifecyclestage FROM hubspot.contacts h WHERE lower(trim(h.email)) = lower(trim(p.email)) AND h._weir_deleted_at IS NULL LIMIT 1) h ON true
WHERE s.revenue >= 100
