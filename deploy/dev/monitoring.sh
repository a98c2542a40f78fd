# Alerts, their tests, the runbook, the dashboards. Sourced by ./dev.

# The environment of manifests.sh has PyYAML; Grafana's Foundation SDK comes beside.
need_monitoring_tools() {
  need_manifest_tools
  command -v promtool >/dev/null || need_packages prometheus
  need_python_packages "$manifest_tools" deploy/dev/monitoring/tools.txt --only-binary :all:
}

check_monitoring() {
  "$manifest_tools/bin/python" deploy/dev/monitoring.py --test
  "$manifest_tools/bin/python" deploy/dev/monitoring.py --check
}

# Makes the dashboards and the copies of the alert rules, or checks all with --check.
monitoring() {
  need_monitoring_tools
  case "${1:-}" in
    "")
      "$manifest_tools/bin/python" deploy/dev/dashboards.py
      manifests
      ;;
    --check) check_monitoring ;;
    *) die "unknown: monitoring $*" ;;
  esac
}
