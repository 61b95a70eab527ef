-- A job as the documents make one, about 300 bytes; new each time, since it bears no request_id.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"user_email":"jane@acme.com",'
  .. '"prompt":"Create a discovery call scenario with a skeptical IT director who is concerned'
  .. ' about integration complexity",'
  .. '"context":"## Prospect Information\\n- Company: TechCorp Inc.\\n- Industry: Financial Services\\n'
  .. '- Size: 500 employees\\n- Current pain point: Manual data entry"}'
