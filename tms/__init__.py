"""TMS, the Terminal Management System: watches fleets of terminals in real time."""
