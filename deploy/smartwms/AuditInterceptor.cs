// Makes SmartWMS log every data change with its values before and after, and whether it was saved.
//
//   builder.Services.AddHttpContextAccessor();
//   builder.Services.AddSingleton<AuditInterceptor>();
//   builder.Services.AddDbContext<ApplicationDbContext>((services, options) => options
//       .UseNpgsql(…)
//       .AddInterceptors(services.GetRequiredService<AuditInterceptor>()));
//
// .NET 8, Entity Framework Core 8, Serilog. The agent's source then says `changes_logged = true`.

using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Transactions;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Serilog;

namespace SmartWMS.API.Infrastructure.Audit;

public sealed class AuditInterceptor(IHttpContextAccessor accessor) : SaveChangesInterceptor
{
    // SmartWMS's own journals: they tell of a change, they are none.
    private static readonly HashSet<string> Skipped =
    [
        "AuditLog", "ActivityLog", "SystemEventLog", "LoginAttempt", "AutomationScheduledJob", "AutomationRuleExecution",
    ];

    // That they changed is logged, what they are is not: a log is read by more people than a database.
    private static readonly HashSet<string> Secrets =
        ["PasswordHash", "SecurityStamp", "ConcurrencyStamp", "RefreshToken"];

    private const string Secret = "[secret]";

    private static readonly string[] Numbers =
    [
        "OrderNumber", "Sku", "AdjustmentNumber", "TransferNumber", "Code", "Key", "MovementNumber", "Email", "Name",
    ];

    // Changes that are being saved. One interceptor serves all contexts; a context saves one thing at a time.
    private readonly ConditionalWeakTable<DbContext, List<Change>> _saving = new();

    public override InterceptionResult<int> SavingChanges(DbContextEventData eventData, InterceptionResult<int> result)
    {
        Collect(eventData.Context);
        return base.SavingChanges(eventData, result);
    }

    public override ValueTask<InterceptionResult<int>> SavingChangesAsync(
        DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Collect(eventData.Context);
        return base.SavingChangesAsync(eventData, result, cancellationToken);
    }

    public override int SavedChanges(SaveChangesCompletedEventData eventData, int result)
    {
        Write(eventData.Context, saved: true);
        return base.SavedChanges(eventData, result);
    }

    public override ValueTask<int> SavedChangesAsync(
        SaveChangesCompletedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        Write(eventData.Context, saved: true);
        return base.SavedChangesAsync(eventData, result, cancellationToken);
    }

    public override void SaveChangesFailed(DbContextErrorEventData eventData)
    {
        Write(eventData.Context, saved: false);
        base.SaveChangesFailed(eventData);
    }

    public override Task SaveChangesFailedAsync(
        DbContextErrorEventData eventData, CancellationToken cancellationToken = default)
    {
        Write(eventData.Context, saved: false);
        return base.SaveChangesFailedAsync(eventData, cancellationToken);
    }

    public override void SaveChangesCanceled(DbContextEventData eventData)
    {
        Write(eventData.Context, saved: false);
        base.SaveChangesCanceled(eventData);
    }

    public override Task SaveChangesCanceledAsync(
        DbContextEventData eventData, CancellationToken cancellationToken = default)
    {
        Write(eventData.Context, saved: false);
        return base.SaveChangesCanceledAsync(eventData, cancellationToken);
    }

    // What EF forgets once it has saved: states, original values, the values of what is deleted.
    private void Collect(DbContext? context)
    {
        if (context is null)
        {
            return;
        }
        var changes = new List<Change>();
        foreach (var entry in context.ChangeTracker.Entries())
        {
            if (entry.State is EntityState.Unchanged or EntityState.Detached
                || Skipped.Contains(entry.Metadata.ClrType.Name))
            {
                continue;
            }
            var properties = entry.Properties
                .Where(property => entry.State != EntityState.Modified
                    || (property.IsModified && !Equals(property.OriginalValue, property.CurrentValue)))
                .ToList();
            if (properties.Count == 0)
            {
                continue;
            }
            var before = entry.State == EntityState.Added
                ? null
                : Values(properties, property => property.OriginalValue);
            changes.Add(new Change(entry, entry.State, properties, before));
        }
        _saving.AddOrUpdate(context, changes);
    }

    private void Write(DbContext? context, bool saved)
    {
        if (context is null || !_saving.TryGetValue(context, out var changes))
        {
            return;
        }
        _saving.Remove(context);
        // Inside a transaction of the caller's, what is saved may yet be rolled back. Then nothing is said
        // here, and the agent takes the outcome of the request.
        var isCommitted = context.Database.CurrentTransaction is null && Transaction.Current is null;
        var outcome = saved ? (isCommitted ? "success" : null) : "failure";
        foreach (var change in changes)
        {
            Write(change, outcome);
        }
    }

    private void Write(Change change, string? outcome)
    {
        var (entry, state, properties, before) = change;
        var http = accessor.HttpContext;
        var type = entry.Metadata.ClrType;
        var names = properties.Select(property => property.Metadata.Name).ToList();
        var number = Numbers.Select(name => Value(entry, name)).FirstOrDefault(value => value is not null);
        var action = state switch
        {
            EntityState.Added => "Create",
            EntityState.Deleted => "Delete",
            _ => names.Contains("Status") ? "StatusChange" : "Update",
        };
        var line = Log.ForContext("SourceContext", "SmartWMS.Audit")
            .ForContext("EventType", "DataChange")
            .ForContext("EntityType", type.Name)
            .ForContext("EntityId", Value(entry, "Id")) // after the save, so a generated key is the real one
            .ForContext("EntityNumber", number)
            .ForContext("Action", action)
            .ForContext("Module", Module(type))
            .ForContext("TenantId", Value(entry, "TenantId"))
            .ForContext("UserId", http?.User.FindFirst(ClaimTypes.NameIdentifier)?.Value)
            .ForContext("UserEmail", http?.User.FindFirst(ClaimTypes.Email)?.Value)
            .ForContext("UserName", http?.User.Identity?.Name)
            .ForContext("IpAddress", Address(http?.Connection.RemoteIpAddress))
            .ForContext("UserAgent", http?.Request.Headers.UserAgent.ToString())
            .ForContext("CorrelationId", http?.TraceIdentifier)
            .ForContext("OldValues", before, destructureObjects: true)
            .ForContext(
                "NewValues",
                state == EntityState.Deleted ? null : Values(properties, property => property.CurrentValue),
                destructureObjects: true)
            .ForContext("ChangedFields", state == EntityState.Modified ? string.Join(",", names) : null);
        if (outcome is not null)
        {
            line = line.ForContext("Outcome", outcome);
        }
        line.Information("Audit {AuditAction} {AuditEntity} {AuditKey}", action, type.Name, number);
    }

    private static Dictionary<string, object?> Values(
        IEnumerable<PropertyEntry> properties, Func<PropertyEntry, object?> of) =>
        properties.ToDictionary(
            property => property.Metadata.Name,
            property => of(property) switch
            {
                null => null,
                _ when Secrets.Contains(property.Metadata.Name) => Secret,
                Enum value => value.ToString(),
                var value => value,
            });

    private static object? Value(EntityEntry entry, string name) =>
        entry.Metadata.FindProperty(name) is null ? null : entry.Property(name).CurrentValue;

    private static string Module(Type type) =>
        type.Namespace?.Split('.').SkipWhile(part => part != "Modules").Skip(1).FirstOrDefault() ?? "Identity";

    // The connection's own address, never a header's: anybody can send X-Forwarded-For. Behind a proxy,
    // UseForwardedHeaders with KnownProxies puts the client's address here.
    private static string? Address(IPAddress? address) =>
        (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address)?.ToString();

    private sealed record Change(
        EntityEntry Entry, EntityState State, List<PropertyEntry> Properties, Dictionary<string, object?>? Before);
}
