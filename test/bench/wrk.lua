-- What wrk sends, and its figures in a form for machines. Arguments after the URL:
-- how many requests are sent at once, and whether each asks for the connection to be
-- closed ("close" or "keep").

function init(args)
	local depth = tonumber(args[1])

	if args[2] == "close" then
		wrk.headers["Connection"] = "close"
	end
	-- wrk asks once and sends this text again and again: no Lua runs per request.
	local requests = string.rep(wrk.format("GET"), depth)
	wrk.format = function() return requests end
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format(
		'RESULT {"requests": %d, "us": %d, "p50": %d, "p99": %d, "failed": %d}\n',
		summary.requests, summary.duration,
		latency:percentile(50), latency:percentile(99),
		e.connect + e.read + e.write + e.status + e.timeout))
end
