"""What is shipped to run Lapwing with: alert rules, dashboards, their runbooks."""
