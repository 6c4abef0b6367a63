// In Program.cs of SmartWMS: the file log as compact JSON (CLEF). Package: Serilog.Formatting.Compact, which
// Serilog.AspNetCore brings with it. Add this WriteTo beside the text log, or put it in its place.
//
// using Serilog.Formatting.Compact;

    .WriteTo.File(
        formatter: new CompactJsonFormatter(),
        path: "/var/log/smartwms/smartwms-.clef",
        rollingInterval: RollingInterval.Day,
        fileSizeLimitBytes: null,       // the default stops logging at 1 GiB a day, without a word
        retainedFileCountLimit: 30,     // the agent needs a file only until it has shipped it
        buffered: false)                // a line is on disk before the request is answered
