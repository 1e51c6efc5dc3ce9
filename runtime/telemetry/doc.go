// Package telemetry tells the outside how Reqon is doing: the log, as text or as
// JSON lines, and the metrics in Prometheus' text form. (operations, "Logs" and
// "/metrics")
package telemetry
