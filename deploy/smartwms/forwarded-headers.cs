// In Program.cs of SmartWMS, where a proxy of your own stands before it: the connection's address becomes the
// client's, as that proxy saw it. Only a proxy named here is believed; without names nobody but loopback is.
//
// using System.Net;
// using Microsoft.AspNetCore.HttpOverrides;

app.UseForwardedHeaders(new ForwardedHeadersOptions
{
    ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto,
    ForwardLimit = 1,
    KnownProxies = { IPAddress.Parse("192.0.2.1") },   // nginx
}); // before UseAuditedRequestLogging
