// Puts who, whose and where from on every request line of SmartWMS, and who was attempted on a sign-in.
//
// In Program.cs, instead of app.UseSerilogRequestLogging(…) and at its place, before UseAuthentication:
//
//   app.UseAuditedRequestLogging();
//
// .NET 8, Serilog.AspNetCore.

using System.Net;
using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Serilog;

namespace SmartWMS.API.Infrastructure.Audit;

public static class RequestLogEnrichment
{
    private static readonly PathString Login = "/api/v1/auth/login";
    private const int LongestLoginBytes = 8 * 1024;
    private const int LongestText = 256;
    private const string NoAddress = "[no e-mail address]";
    private static readonly object Attempted = new();

    public static IApplicationBuilder UseAuditedRequestLogging(this IApplicationBuilder app)
    {
        app.UseSerilogRequestLogging(options =>
        {
            options.MessageTemplate = "HTTP {RequestMethod} {RequestPath} responded {StatusCode} in {Elapsed:0.0000} ms";
            options.EnrichDiagnosticContext = Enrich;
        });
        return app.Use(async (http, next) =>
        {
            if (HttpMethods.IsPost(http.Request.Method)
                && http.Request.Path.StartsWithSegments(Login, out var rest) && (rest.Value is null or "" or "/"))
            {
                http.Items[Attempted] = await ReadAttempt(http.Request);
            }
            await next(http);
        });
    }

    // Called when the request is over, so the user is known although authentication comes later in the pipeline.
    private static void Enrich(IDiagnosticContext line, HttpContext http)
    {
        Set(line, "TenantId", http.GetRouteValue("tenantId")?.ToString());
        Set(line, "UserTenantId", http.User.FindFirst("tenant_id")?.Value);
        Set(line, "UserId", http.User.FindFirst(ClaimTypes.NameIdentifier)?.Value);
        Set(line, "UserName", http.User.Identity?.Name);
        Set(line, "ClientIP", Address(http.Connection.RemoteIpAddress));
        Set(line, "UserAgent", http.Request.Headers.UserAgent.ToString());
        Set(line, "QueryString", http.Request.QueryString.Value);
        if (http.Items[Attempted] is Attempt attempt)
        {
            Set(line, "AttemptedUser", attempt.User);
            Set(line, "AttemptedTenant", attempt.Tenant);
        }
    }

    private static void Set(IDiagnosticContext line, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            line.Set(name, value);
        }
    }

    // Two values of the body and nothing else of it: the password is not looked at, not copied, not kept.
    private static async Task<Attempt?> ReadAttempt(HttpRequest request)
    {
        request.EnableBuffering();
        var body = new byte[LongestLoginBytes + 1];
        try
        {
            var length = await request.Body.ReadAtLeastAsync(
                body, body.Length, throwOnEndOfStream: false, request.HttpContext.RequestAborted);
            if (length > LongestLoginBytes)
            {
                return null;
            }
            using var document = JsonDocument.Parse(body.AsMemory(0, length));
            return new Attempt(
                UserOf(Text(document.RootElement, "email")), Text(document.RootElement, "tenantCode"));
        }
        catch (JsonException)
        {
            return null; // the controller answers 400
        }
        finally
        {
            Array.Clear(body);
            request.Body.Position = 0;
        }
    }

    // A password typed into the wrong field must not be logged: only what looks like an address is.
    private static string? UserOf(string? text) =>
        text is null || (text.Contains('@') && !text.Any(char.IsWhiteSpace)) ? text : NoAddress;

    private static string? Text(JsonElement element, string name)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            return null;
        }
        foreach (var property in element.EnumerateObject())
        {
            if (property.Name.Equals(name, StringComparison.OrdinalIgnoreCase)
                && property.Value.ValueKind == JsonValueKind.String)
            {
                var text = property.Value.GetString()!;
                return text.Length <= LongestText ? text : text[..LongestText];
            }
        }
        return null;
    }

    // The connection's own address, never a header's: anybody can send X-Forwarded-For. Behind a proxy,
    // UseForwardedHeaders with KnownProxies puts the client's address here.
    private static string? Address(IPAddress? address) =>
        (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address)?.ToString();

    private sealed record Attempt(string? User, string? Tenant);
}
